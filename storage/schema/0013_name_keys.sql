-- A household is found however its names are typed: their keys lose the dots and spaces inside them and the difference
-- of capitals (bot/talk/letters.py, `search_key`). Stored names are in NFKC and hold no other space.
UPDATE household_names SET name_key = lower(hex(lower(
    replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(
    replace(replace(replace(name, ' ', ''), '·', ''), '•', ''), '‧', ''), '∙', ''), '⋅', ''), '・', ''), '‥', ''),
    '●', ''), '⸱', ''), '⸳', ''), '᛫', ''), 'ᐧ', ''), 'ㆍ', ''), 'ᆞ', ''), '.', ''), '。', '')
)));
