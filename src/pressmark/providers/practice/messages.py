"""The 300 support messages that ship with Pressmark, written for it; an imaginary shop for things of the house.

`train` rows are what the practice model learned from; `example` rows are for your evaluations, and the model has never
seen them. Where two categories seem to fit, the rows follow the rules of this imaginary support desk:

- `billing`: what was charged or invoiced is wrong or unclear, also when the customer wants it paid back.
- `refund`: money for something that was (or is to be) sent back or called off before, where only the money is open.
- `delivery`: where the parcel is, when and whether it comes; shipping in general.
- `damaged_item`: it arrived broken, used, incomplete, or is the wrong article, whatever the customer asks for.
- `account_access`: signing in, codes, a locked or hijacked account, login details.
- `cancellation`: an order or a subscription is to be stopped, for whatever reason.
- `product_question`: what somebody asks before they buy.
- `technical_issue`: the site, the app or a device in use does not work.
"""

from __future__ import annotations

import functools
import json
from importlib.resources import files

CATEGORIES = (
    "billing",
    "refund",
    "delivery",
    "damaged_item",
    "account_access",
    "cancellation",
    "product_question",
    "technical_issue",
)
URGENCIES = ("low", "normal", "high")


@functools.cache
def _lines() -> tuple[str, ...]:
    return tuple(files(__package__).joinpath("messages.jsonl").read_text("utf-8").splitlines())


def _rows(split: str) -> list[dict[str, object]]:
    # Parsed anew each time: callers may change what they get.
    return [row for row in map(json.loads, _lines()) if row["split"] == split]


def example_messages() -> list[dict[str, object]]:
    """The messages to evaluate prompts on; the practice model was not trained on them.

    Returns:
        Rows with `id`, `text`, `category`, `urgency` (low, normal, high), `order_number` (`ORD-` and five digits, or
        None), `channel` (email, chat, phone, social), `hard` and `split`.
    """
    return _rows("example")


def training_messages() -> list[dict[str, object]]:
    """The messages that the practice model learned from, in the same form."""
    return _rows("train")
