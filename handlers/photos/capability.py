"""Photos and videos: what they declare."""

from __future__ import annotations

from handlers.capability import Capability
from handlers.declared import Forget
from handlers.photos import asking, checks, fetched, forgetting, loose, wanted

PHOTOS = Capability(
    name="photos",
    forms=(asking.PHOTOS_FOR, wanted.PHOTO_AGAIN),
    intents=(wanted.interpret, asking.interpret),
    other_matters=(wanted.surely,),
    timers={"media.fetch": fetched.media_fetched, forgetting.FILES: fetched.media_erased, loose.LOOSE: loose.erase},
    plan=(loose.plan,),
    forgets=(
        Forget("who sent a photo", of_person=forgetting.of_person),
        Forget("where a photo was taken", of_age=forgetting.places),
        Forget("photos", of_age=forgetting.photos),
    ),
    checks={"originals": checks.originals_left},
    pages=("villager.md", "operator.md"),
    without={
        "figures": "photos are evidence of what is counted elsewhere",
        "waits": "a photo is fetched by itself",
    },
)
