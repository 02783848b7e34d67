"""Sign-in without a password: who a request belongs to, and the links that let somebody in.

The cookie is signed, not stored: reading it costs no query. It names a customer and their ``sign_in_epoch``;
whoever reads rows for that customer filters by both, so raising the epoch ends every older sign-in. A link
carries a signed nonce; its row makes it single use and short-lived. The secret of a link exists in mails
only: not in the outbox, not in letters kept, not in logs.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Upper
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from subscriptions.models import Customer, EntryToken, SignInToken

COOKIE = "fw_customer"
COOKIE_SALT = "fairwell.customer"
LINK_SALT = "fairwell.sign-in-link"
# Where a visitor lands who asked for nothing in particular. By path, for its page belongs to an app above.
HOME = "/account/"
LONGEST_PATH = 300
# A link or token that is over is of no use to anybody; it stays a day so that its page can say why it fails.
KEPT_AFTER_EXPIRY = timedelta(days=1)

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


class LinkFault(StrEnum):
    """Why a link does not let anybody in."""

    TAMPERED = "tampered"
    EXPIRED = "expired"
    USED = "used"


class LinkRefused(Exception):
    """A sign-in link that lets nobody in. ``customer_id`` is set where the link was a real one."""

    def __init__(self, fault: LinkFault, customer_id: int | None = None) -> None:
        super().__init__(fault)
        self.fault = fault
        self.customer_id = customer_id


# ---------------------------------------------------------------- the cookie


def signed_in(request: HttpRequest) -> tuple[int, int] | None:
    """Return (customer id, sign-in epoch) of the visitor, or None. The reader of rows compares the epoch."""
    try:
        customer_id, epoch = signing.loads(
            request.COOKIES.get(COOKIE, ""), salt=COOKIE_SALT, max_age=settings.CUSTOMER_COOKIE_HOURS * 3600
        )
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return int(customer_id), int(epoch)


def let_in(response: HttpResponse, customer: Customer) -> HttpResponse:
    """Sign the customer in with this response."""
    response.set_cookie(
        COOKIE,
        signing.dumps([customer.pk, customer.sign_in_epoch], salt=COOKIE_SALT),
        max_age=settings.CUSTOMER_COOKIE_HOURS * 3600,
        httponly=True,
        samesite="Lax",
        secure=settings.CUSTOMER_COOKIE_SECURE,
    )
    return response


def let_out(response: HttpResponse) -> HttpResponse:
    """Sign the visitor out with this response: on this device alone, for others may be somebody's at home."""
    response.delete_cookie(COOKIE, samesite="Lax")
    return response


@transaction.atomic
def sign_out_everywhere(customer_id: int) -> None:
    """End every sign-in of a customer, on whatever device, and every link that could still let somebody in."""
    Customer.objects.filter(pk=customer_id).update(sign_in_epoch=F("sign_in_epoch") + 1)
    SignInToken.objects.filter(customer_id=customer_id, used_at__isnull=True).delete()


def to_sign_in(request: HttpRequest, *, before_the_act: str = "") -> HttpResponse:
    """Lead to the sign-in, and back: to the page itself, or from an act to the page before it, where it is named."""
    back = request.get_full_path() if request.method in ("GET", "HEAD") else before_the_act
    query = f"?{urlencode({'next': back})}" if safe_path(back) else ""
    return HttpResponseRedirect(reverse("subscriptions:sign-in") + query)


def safe_path(path: str) -> str:
    """Return a path of this desk that somebody may be sent to, or "" for anything else."""
    local = path.startswith("/") and len(path) <= LONGEST_PATH and path.isprintable()
    return path if local and url_has_allowed_host_and_scheme(path, allowed_hosts=None) else ""


# ---------------------------------------------------------------- the links


def customers_with(email: str) -> QuerySet[Customer]:
    """Return the customers with this address, whatever its case and the spelling of its domain."""
    # In capitals, as the index ``customer_email_anyhow`` keeps them; ``iexact`` would read all rows on SQLite.
    spellings = [Upper(Value(spelling)) for spelling in {*_spellings(email.strip())}]
    found = Customer.objects.alias(anyhow=Upper("email")).filter(anyhow__in=spellings)
    return found.exclude(email="").order_by("pk")


def _spellings(email: str) -> Iterator[str]:
    """Yield an address with its domain as typed, as the internet spells it (``xn--``), and as people do."""
    yield email
    name, at, domain = email.rpartition("@")
    with suppress(UnicodeError):
        yield name + at + domain.encode("idna").decode("ascii")
    with suppress(UnicodeError):
        yield name + at + domain.encode("ascii").decode("idna")


def new_links(customers: Iterable[Customer], *, next_path: str, now: datetime) -> list[SignInToken]:
    """Return one new link for each customer, valid once within ``SIGN_IN_MINUTES``."""
    expires_at = now + timedelta(minutes=settings.SIGN_IN_MINUTES)
    return SignInToken.objects.bulk_create(
        SignInToken(
            nonce=secrets.token_urlsafe(32),
            customer=customer,
            next_path=safe_path(next_path),
            expires_at=expires_at,
        )
        for customer in customers
    )


def url_of(link: SignInToken) -> str:
    """Return the address that lets the customer in. A secret: it goes into the mail and nowhere else."""
    token = signing.Signer(salt=LINK_SALT, sep=".").sign(link.nonce)
    return f"{settings.BASE_URL}{reverse('subscriptions:sign-in-link', args=[token])}"


def find_link(token: str, *, now: datetime) -> SignInToken:
    """Return a link that would let its customer in now, without using it; LinkRefused where none would."""
    try:
        nonce = signing.Signer(salt=LINK_SALT, sep=".").unsign(token)
    except signing.BadSignature:
        raise LinkRefused(LinkFault.TAMPERED) from None
    link = SignInToken.objects.select_related("customer").filter(nonce=nonce).first()
    if link is None:
        # Signed by us and no longer kept: it is over for more than a day.
        raise LinkRefused(LinkFault.EXPIRED)
    if link.used_at is not None:
        raise LinkRefused(LinkFault.USED, link.customer_id)
    if link.expires_at <= now:
        raise LinkRefused(LinkFault.EXPIRED, link.customer_id)
    return link


def use_link(token: str, *, now: datetime) -> SignInToken:
    """Use a link up and return it. Of two at once one gets it, the other LinkRefused."""
    link = find_link(token, now=now)
    unused = SignInToken.objects.filter(pk=link.pk, used_at__isnull=True, expires_at__gt=now)
    if not unused.update(used_at=now):
        raise LinkRefused(LinkFault.USED, link.customer_id)
    return link


def forget_old_links(*, now: datetime) -> int:
    """Erase links and entry tokens that are over for a day; return how many. Running twice does no harm."""
    over = {"expires_at__lt": now - KEPT_AFTER_EXPIRY}
    return SignInToken.objects.filter(**over).delete()[0] + EntryToken.objects.filter(**over).delete()[0]
