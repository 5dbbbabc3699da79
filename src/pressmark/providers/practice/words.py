"""Turn a text into weighted features: words, pairs of words, pieces of words, and the concepts they express.

The concepts are the practice model's only general knowledge: small groups of words that mean nearly the same in a
support desk ("cracked", "dented", "kaputt"), so that a message can be understood whose exact words were never seen
in training.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping

# Phrases are separated by commas; "crack*" stands for every word that begins so, also inside a longer phrase.
CONCEPTS: Mapping[str, str] = {
    "charge": "charg*, bill, billed, billing, bills, invoic*, debit*, payment*, paid, pay, pays, paying, payd, overcharg*, "
    "fee, fees, instalment*, receipt*, statement, dunning, overdraw*, vat, tax, taxes, rechnung*, facture*, factura*, "
    "bookkeep*, accounting, credit note, collection agency, umsatzsteuer*",
    "twice": "twice, double, duplicat*, two payments, charged again, five times, second time",
    "price": "price*, amount, total, discount*, voucher*, coupon*, promo*, code took, gift card, protection plan, free trial",
    "pay_means": "card, cards, bank, bank transfer, direct debit, paypal, iban",
    "bill_problem": "bill* wrong, amount* differ*, more than, correct the invoice, correct bill, how * calculated, off my account, "
    "conversion fee, late fee, lists a, comes from, come from",
    "money_back": "refund*, reimburs*, money back, money returned, get back, my money, the money, rembours*, reembols*, erstatt*, "
    "goodwill, store credit, back on my card, back from you, on my account yet, what i paid, full price back",
    "sent_back": "return, returned, returning, returns, sent back, sent it back, sent yours back, send * back, sending * back, "
    "bring * back, give * back, gave * back, went back, handed in, renvoy*, devol*, zuruck*, unopened, unused, been back, "
    "had * back",
    "no_parcel": "where is, where's, wher is, hasn't arrived, not arrived, never arrived, hasn't turned up, still waiting, nowhere, "
    "lost, is missing, late, delayed, delay, overdue, stuck, chase, should have been here, was meant to come, still on * way, "
    "todavia no, pas encore, nicht angekommen, any news, out for delivery, nobody rang, is it still coming",
    "shipping": "ship, ships, shipped, shipping, shipment*, deliver*, dispatch*, courier*, carrier*, driver, van, depot, transit, "
    "customs, express, overnight, tracking, track, pickup point, redirect*, neighbour*, neighbor*, parcel*, package*, pakage*, "
    "paquet*, pedido, paket, lieferung, entrega, livraison, letter box, front door, saturday delivery, standing in front",
    "address": "address, addresses, street, postcode, moving house, moving out, pickup",
    "broken": "broke, broken, crack*, shatter*, smash*, dent, dented, chip, chipped, scratch*, torn, bent, leak*, burst, stain*, crushed, "
    "squash*, split, snapped, damag*, pieces, riss, kaputt, beschadigt, cass*, roto, rota, ruined, soaked, wobbl*, loose, "
    "crooked, came off, burn*, spark*, brown mark, dead, used before, faulty, defect*, splinters, dropped",
    "wrong_item": "wrong size, wrong colour, wrong color, wrong item, wrong article, wrong product, instead of the, received a, "
    "received * instead, not the one i ordered, ordered * received, ordered * got, other colour",
    "incomplete": "without screws, came without, incomplete, missing from, missing entirely, handles missing, pieces missing, "
    "missing parts, * is missing from",
    "unpacked": "unpack*, unbox*, unwrap*, out of the box, on arrival, arrived, arriv*, packag*, packed, packing, in the box, "
    "the box was, from day one, just got it, box came, came with",
    "replace": "replac*, exchang*, swap*, new one, spare one, ersatz, photo*",
    "login": "log in, login, log on, log me, logged out, logged, sign in, sign on, signin, signed in, sign up, password*, pasword, "
    "passwort, contrasena, mot de passe, pin, credential*, username, user name, anmeld*, connecter, iniciar sesion, get in, "
    "get into, enter here, let in, let me in, can't enter, let us in, got locked",
    "account": "account, accounts, acount, compte, cuenta, konto, profile, register, user, users, my email, mailbox, surname",
    "locked": "locked, lock the, unlock*, block, blocked, suspend*, reactivat*, freeze everything, permitted, denied, rejected, "
    "not accept, doesn't accept, locked out",
    "security": "hack*, hijack*, somebody changed, someone else, somebody has changed, wasn't me, verif*, two factor, two-factor, 2fa, "
    "authenticator, backup codes, codes, reset link, reset mail, reset email, identity, security question, someone is ordering",
    "cancel": "cancel*, call off, call * off, called off, undo, terminat*, quit, unsubscribe*, kundig*, resili*, anul*, forget i, "
    "notice period, give notice, withdraw*, end it, end my, ended, end for good, stop the, stop my, stop order, stopping our, "
    "no longer need, won't need, not be needing, don't need, not need, needn't send, don't send, not send it, dont send, "
    "mustn't go out, ways part, by mistake, by accident, accidentally, changed my mind, changed circumstances, before it ships, "
    "take * off the list, take * off order, remove * from, would stop, wrong basket, ordered by",
    "subscription": "subscri*, club, plan, membership, monthly, abo, abonnement, suscripcion, renew*, annual, yearly, pause*, "
    "maintenance plan",
    "asking": "is it, is the, does it, does the, do you have, do you sell, can you use, can u use, which of, which one, what is the, "
    "what are the, whats the, what's the, difference, would this, would the, would it, would you recommend, recommend*, "
    "suggest*, interested in, comparing, before i buy, looking for, do they come, can't decide, quelle est, difference entre, "
    "thinking of getting, asking for a friend, are they available, also available, does it come",
    "product_fact": "material*, dimension*, load, dishwasher, induction, oven, hob, compatible, suitable, fit, fits, wool, cotton, organic, "
    "allergy, nickel, certified, approved, standard, warranty, in stock, back in stock, model, models, gasket*, food-safe, "
    "safe, loud, litre, square metres, cm, adjustable, spare, older model, plus model, machine washable, how long is, "
    "how loud, old one, electric",
    "website": "app, apps, website, site, page, pages, browser*, chrome, firefox, safari, popup, checkout page, payment page, search, "
    "api, interface, export, csv, script, console, button, dark mode, aplicacion, anwendung, video, map, online",
    "device": "thermostat, vacuum, robot, smart lock, speaker, lamp, firmware, firmwear, bluetooth, wifi, router, display, "
    "notifications, android, iphone, tablet, camera, sensor*, heating control, key pad, scanner",
    "malfunction": "crash*, error, bug, bugs, doesn't react, not responding, doesn't respond, freezes, frozen, blink*, stays white, "
    "times out, time out, reload*, loading, slow, won't open, wont open, doesn't open, doesn't load, doesn't play, nothing happens, "
    "went wrong, funktioniert nicht, se cierra, reset, offline, doesn't recognise, stops in, does nothing, wont close, can't be set, "
    "since the update, since i updated, last update, after the update, new version, newest version, restarted, reinstall*, "
    "doesn't work, stopped working, keeps",
    "order": "order, orders, ordered, bestellung, commande, basket",
}

_COMMON = frozenset(
    ["the", "a", "an", "and", "or", "of", "to", "in", "on", "for", "it", "is", "i", "my", "me", "we", "you", "your", "that", "this", "was", "with", "at", "be", "have", "has", "are", "as", "so", "but", "from", "by", "do", "does", "can", "could", "would", "please", "hello", "hi", "hey", "good", "morning", "day", "afternoon", "dear", "thanks", "thank", "there's", "will", "been", "they", "them", "our", "us", "if", "then", "than", "just", "only", "also", "no", "not", "yes", "there", "here", "am"]
)
_WORD = re.compile(r"[a-z]+(?:['-][a-z]+)*|\d+")
_ENDINGS = ("ations", "ation", "ings", "ing", "ies", "ied", "ed", "es", "ly", "s", "e", "y")


def plain(text: str) -> str:
    """Lower-case ``text`` and take accents off its letters."""
    decomposed = unicodedata.normalize("NFKD", text.lower().replace("\u2019", "'"))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def words(text: str) -> list[str]:
    """Words and numbers of ``text``, in order, in plain lower case."""
    return _WORD.findall(plain(text))


def content_words(text: str) -> set[str]:
    """The stems of the words that carry meaning, for comparing two texts."""
    return {stem(word) for word in words(text) if word not in _COMMON and len(word) > 2}


def stem(word: str) -> str:
    """Cut a common English ending off, if at least three letters remain."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def _compiled() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    """Phrases by their first three letters (shorter ones by the whole word)."""
    index: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for concept, phrases in CONCEPTS.items():
        for phrase in phrases.split(","):
            pattern = tuple(phrase.split())
            index.setdefault(pattern[0].rstrip("*")[:3], []).append((pattern, concept))
    return index


_INDEX = _compiled()


def _matches(pattern: tuple[str, ...], tokens: list[str], at: int) -> bool:
    """Whether ``pattern`` stands in ``tokens`` from ``at``; a lone ``*`` spans up to three words."""
    if not pattern:
        return True
    if pattern[0] == "*":
        return any(_matches(pattern[1:], tokens, at + skip) for skip in range(4))
    if at >= len(tokens):
        return False
    part, token = pattern[0], tokens[at]
    fits = token.startswith(part[:-1]) if part.endswith("*") else token == part
    return fits and _matches(pattern[1:], tokens, at + 1)


def concepts(tokens: list[str]) -> Iterator[str]:
    """The concepts that ``tokens`` express, one for each phrase found."""
    for at, token in enumerate(tokens):
        for pattern, concept in (*_INDEX.get(token[:3], ()), *_INDEX.get("", ())):
            if _matches(pattern, tokens, at):
                yield concept


def features(text: str) -> Counter[str]:
    """Weighted features of ``text``.

    A word weighs 1, a pair of neighbours 0.7, a piece of four letters 0.35 (pieces survive misspellings), a concept 0.6:
    the learner trusts what it saw more than what it could know, until a prompt says what matters. Numbers are left
    out: they name orders, not topics.
    """
    tokens = [word for word in words(text) if not word.isdigit()]
    stems = [stem(word) for word in tokens]
    found: Counter[str] = Counter()
    for word, root in zip(tokens, stems, strict=True):
        if word in _COMMON:
            continue
        found["word " + root] += 1.0
        if len(word) > 3:
            padded = f"<{word}>"
            for start in range(len(padded) - 3):
                found["piece " + padded[start : start + 4]] += 0.35
    for first, second in zip(stems, stems[1:], strict=False):
        found[f"pair {first} {second}"] += 0.7
    for concept in concepts(tokens):
        found["concept " + concept] += 0.6
    return found
