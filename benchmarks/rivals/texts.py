"""What both framework rivals say and how they store a report: the same words, the same table."""

from __future__ import annotations

from typing import Final

KINDS: Final = {
    "dumping": "🗑 倾倒垃圾",
    "burning": "🔥 焚烧",
    "river": "🌊 河道垃圾",
    "open": "📦 露天堆放",
    "film": "🧻 废旧地膜",
    "vehicle": "🚚 正在倾倒的车",
}
ASK_KIND: Final = "您看到了什么?"
ASK_PHOTOS: Final = "请拍照或发送照片,最多 9 张。"
GOT_PHOTO: Final = "收到 {count} 张,还可以再发,或点“完成”。"
ASK_PLACE: Final = "在哪里?请发送位置。"
ASK_NAMED: Final = "要留下姓名吗?匿名也会办理。"
REVIEW: Final = "请核对:{kind},{place}。无误请点“提交”。"
RECEIVED: Final = "已收到,编号 {number}。谢谢您!"

CREATE_REPORTS: Final = """
CREATE TABLE IF NOT EXISTS reports (
    id INTEGER PRIMARY KEY, person_id INTEGER, kind TEXT NOT NULL, latitude REAL NOT NULL, longitude REAL NOT NULL,
    photos TEXT NOT NULL, at_ms INTEGER NOT NULL
) STRICT
"""
INSERT_REPORT: Final = """
INSERT INTO reports (person_id, kind, latitude, longitude, photos, at_ms) VALUES (?, ?, ?, ?, ?, ?)
"""
