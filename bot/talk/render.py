"""From an effect to what is shown: texts by their catalogue ids, buttons by their verbs. Pure."""

from __future__ import annotations

from typing import Any

from bot.talk.engine import Ask
from bot.talk.form import Choice, Doubt, Form, Found, Photos, Place, Step, Wrong, YesNo, wanted
from bot.talk.hearing import BACK, CANCEL, CHOOSE, CONFIRM, DONE, EDIT, RETYPE, SKIP, SUBMIT
from bot.talk.messages import Button, Say, Text, Words, text
from bot.talk.session import Frame, complete, earlier, path

Rows = list[tuple[Button, ...]]
SHORT_LABEL = 7


def problem_text(form: Form, step: Step | None, wrong: Wrong | Text) -> Text:
    """A problem's text: the step's own, else the kind's, else the one for any step; a note is its own."""
    if isinstance(wrong, Text):
        return wrong
    own = f"form.{form.id}.{step.id}.{wrong.code}|step.{step.kind}.{wrong.code}|" if step else ""
    return Text(f"{own}step.{wrong.code}", wrong.fields)


def shown(form: Form, step: Step, value: Any) -> Words:
    """How a stored answer is shown in the review."""
    if value is None:
        return text("review.none")
    if step.shown is not None:
        return step.shown(value)
    if isinstance(value, dict):
        return str(value.get("label", ""))
    if isinstance(step, Choice):
        return option_label(form, step, value)
    if isinstance(step, YesNo):
        return text(f"form.{form.id}.{step.id}.yes|button.yes" if value else f"form.{form.id}.{step.id}.no|button.no")
    if isinstance(step, Photos):
        return text("review.photos", count=len(value))
    return str(value)


def option_label(form: Form, step: Step, value: str) -> Text:
    """The catalogue's label of a declared option."""
    return text(f"form.{form.id}.{step.id}.option.{value}")


def ask_say(form: Form, frame: Frame, effect: Ask) -> Say:
    """A question with its buttons, after the note or problem that led to it."""
    step = effect.step
    if effect.doubt is not None:
        return doubt_say(form, effect, effect.doubt)
    question: Text = step.says(frame.answers) if step.says else text(f"form.{form.id}.{step.id}.ask")
    before = effect.problem or effect.note
    if before is not None:
        question = text("step.after", note=problem_text(form, step, before), question=question)
    rows = tuple(choice_rows(form, frame, step) + control_rows(form, frame, step))
    return Say(question, rows, ask=wanted(form, step))


def doubt_say(form: Form, effect: Ask, doubt: Doubt) -> Say:
    """Whether an answer is meant, with its two buttons."""
    own = f"form.{form.id}.{effect.step.id}.{doubt.code}"
    words = Text(f"{own}|step.{doubt.code}", doubt.fields)
    if effect.note is not None:
        words = text("step.after", note=problem_text(form, effect.step, effect.note), question=words)
    yes = Button(text(f"{own}.yes|button.confirm"), CONFIRM, "primary")
    return Say(words, ((yes, Button(text(f"{own}.no|button.retype"), RETYPE)),))


def choice_rows(form: Form, frame: Frame, step: Step) -> Rows:
    """One button for each option, in columns; long labels get a row of their own. A place's first button is the
    device's own: «send my position»."""
    if isinstance(step, YesNo):
        return [
            (
                Button(text(f"form.{form.id}.{step.id}.yes|button.yes"), f"{CHOOSE}1"),
                Button(text(f"form.{form.id}.{step.id}.no|button.no"), f"{CHOOSE}0"),
            )
        ]
    buttons: list[Button] = []
    if isinstance(step, Choice):
        buttons = [Button(option_label(form, step, value), f"{CHOOSE}{value}") for value in step.options]
    buttons += [Button(label, f"{CHOOSE}{value}") for value, label in frame.offered]
    long = isinstance(step, Found) or any(len(label) > SHORT_LABEL for _, label in frame.offered)
    columns = 1 if long else getattr(step, "columns", 2)
    device: Rows = [(Button(text("button.send_place"), "#place", "primary"),)] if isinstance(step, Place) else []
    return device + [tuple(buttons[at : at + columns]) for at in range(0, len(buttons), columns)]


def control_rows(form: Form, frame: Frame, step: Step) -> Rows:
    """Done, skip, back and cancel, where each makes sense; none under a question whose own buttons are all there is."""
    rows: Rows = []
    if step.alone:
        return rows
    if isinstance(step, Photos) and frame.answers.get(step.id):
        rows.append((Button(text("button.done"), DONE, "primary"),))
    controls: list[Button] = []
    if step.optional and not (isinstance(step, Photos) and frame.answers.get(step.id)):
        controls.append(Button(text("button.skip"), SKIP))
    if earlier(form, frame) is not None:
        controls.append(Button(text("button.back"), BACK))
    if form.cancel:
        controls.append(Button(text("button.cancel"), CANCEL))
    return [*rows, tuple(controls)] if controls else rows


def review_say(form: Form, frame: Frame, note: Wrong | Text | None = None, remark: Text | None = None) -> Say:
    """Every answer on a line, to be submitted, changed or given up; below them `remark`, if there is one."""
    answers = complete(form, frame.answers)
    lines: list[Words] = []
    edits: list[Button] = []
    for step in path(form, frame.answers):
        if step.id not in answers:
            continue
        label = text(f"form.{form.id}.{step.id}.label")
        lines.append(text("review.line", label=label, value=shown(form, step, answers[step.id])))
        edits.append(Button(text("button.edit", label=label), f"{EDIT}{step.id}"))
    lines += ["", remark] if remark is not None else []
    body = text("review.body", title=text(f"form.{form.id}.title"), lines=lines)
    submit = text(f"form.{form.id}.submit|button.submit")
    if note is not None:
        said = note if isinstance(note, Text) else Text(f"step.{note.code}", {**note.fields, "submit": submit})
        body = text("step.after", note=said, question=body)
    rows: Rows = [(Button(submit, SUBMIT, "primary"),)]
    rows += [tuple(edits[at : at + 2]) for at in range(0, len(edits), 2)]
    rows.append((Button(text("button.cancel"), CANCEL),))
    return Say(body, tuple(rows), ask="choice")
