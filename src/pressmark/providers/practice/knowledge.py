"""What the practice model says when a prompt leaves the words to it: paraphrases and sentences for replies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """How the model speaks of one category.

    Attributes:
        names: Short names of its own, none of them the category's label.
        about: Half sentences that finish "the customer ...".
        opening: What a reply says first.
        action: What a reply promises.
        sorry: Whether an apology is due.
        cues: Words that make a foreign label mean this category.
    """

    names: tuple[str, ...]
    about: tuple[str, ...]
    opening: tuple[str, ...]
    action: tuple[str, ...]
    sorry: bool
    cues: str


TOPICS: Mapping[str, Topic] = {
    "billing": Topic(
        names=("Payments", "Charges", "Invoicing", "Payment matter"),
        about=("has a question about a payment or an invoice", "is unhappy with what was charged"),
        opening=(
            "thank you for pointing out the charge",
            "thank you for writing to us about your payment",
        ),
        action=(
            "We are comparing the payment with the invoice, and will correct whatever does not agree.",
            "Our accounting team is checking the amount and will send you a corrected invoice if it is wrong.",
        ),
        sorry=True,
        cues="billing charge payment invoice fee finance accounting",
    ),
    "refund": Topic(
        names=("Reimbursement", "Money-back", "Returns", "Repayment"),
        about=("wants money back for something returned", "is waiting for a repayment"),
        opening=(
            "thank you for your message about the money you are waiting for",
            "thank you for writing about your return",
        ),
        action=(
            "We are checking where the refund stands and will tell you the date on which it reaches you.",
            "The refund will go back to the way you paid as soon as the return is booked.",
        ),
        sorry=True,
        cues="refund refunds reimbursement money back returned",
    ),
    "delivery": Topic(
        names=("Shipping", "Shipment", "Parcel", "Logistics"),
        about=("asks about a parcel or its shipping", "wants to know where the goods are"),
        opening=("thank you for asking about your parcel", "thank you for letting us know about your shipment"),
        action=(
            "We have asked the carrier where it is and will write to you as soon as they answer.",
            "We are following the shipment up with the carrier today.",
        ),
        sorry=True,
        cues="delivery shipping shipment parcel courier tracking complaint",
    ),
    "damaged_item": Topic(
        names=("Defect", "Damage", "Faulty", "Broken goods"),
        about=("received something that is broken or wrong", "reports goods that did not arrive as they should"),
        opening=(
            "thank you for telling us about the state in which it arrived",
            "thank you for reporting this so clearly",
        ),
        action=(
            "We will send you a replacement; a photo of the damage is all that we need.",
            "Please keep it until we have looked at it: a photo is enough, and the replacement follows.",
        ),
        sorry=True,
        cues="damaged broken faulty cracked defective wrong item goods complaint returns repairs replacement",
    ),
    "account_access": Topic(
        names=("Login", "Sign-in", "Password", "Log-in trouble"),
        about=("cannot get into the account or asks about signing in", "has a problem with login details"),
        opening=("thank you for getting in touch about your account", "thank you for telling us about the sign-in"),
        action=(
            "We will check the account and send a new link for signing in to the address that is stored.",
            "To protect you we will verify a few details first, and then open the account again.",
        ),
        sorry=True,
        cues="account login password sign in locked",
    ),
    "cancellation": Topic(
        names=("Termination", "Stop request", "Withdrawal", "Ending"),
        about=("wants something to be stopped", "no longer wants an order or a subscription"),
        opening=("thank you for telling us in good time", "thank you for your message"),
        action=(
            "We will stop it if it has not left the warehouse yet, and confirm that to you in writing.",
            "We have noted that you want to end it; you will get a confirmation by mail.",
        ),
        sorry=False,
        cues="cancellation cancel terminate unsubscribe subscription",
    ),
    "product_question": Topic(
        names=("Enquiry", "Pre-sales", "Product info", "Advice"),
        about=("asks about a product", "would like advice before buying"),
        opening=("thank you for your interest", "thank you for your question"),
        action=(
            "A colleague who knows the product will look up the details for you.",
            "We will check this with the product team and send you a precise answer.",
        ),
        sorry=False,
        cues="product question material dimension suitable stock model",
    ),
    "technical_issue": Topic(
        names=("Bug", "Malfunction", "Tech support", "Software fault"),
        about=("reports something that does not work technically", "has trouble with the app, the site or a device"),
        opening=("thank you for describing the problem", "thank you for reporting this fault"),
        action=(
            "Our engineers are looking into it; the version that you use and a screenshot would help them.",
            "Please install the newest version and restart the device; if it still fails, we will take over.",
        ),
        sorry=True,
        cues="technical error crash bug app website device update it support",
    ),
}

URGENCY_WORDS: Mapping[str, tuple[str, ...]] = {
    "low": ("not urgent", "can wait", "no hurry"),
    "normal": ("moderately urgent", "of ordinary importance", "medium"),
    "high": ("very urgent", "critical", "needs attention at once"),
}
