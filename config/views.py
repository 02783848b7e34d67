"""Pages of the desk itself: the front door, errors, health, and the brand's colours as a style sheet."""

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from config.brand import stylesheet
from config.entries import entries_anyhow
from subscriptions.signin import signed_in


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Lead to where somebody can do something: their contracts, the demo, or the sign-in."""
    if settings.DEMO:
        return HttpResponseRedirect(reverse("demo:index"))
    return HttpResponseRedirect(reverse("cancellation:account" if signed_in(request) else "subscriptions:sign-in"))


@require_safe
@cache_control(public=True, max_age=3600)
def brand_css(request: HttpRequest) -> HttpResponse:
    """Serve the operator's colour as accessible roles; a style sheet, for the policy allows no inline style."""
    return HttpResponse(stylesheet(settings.OPERATOR["brand"]), content_type="text/css; charset=utf-8")


@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """Answer 200 while the database answers; what watches the process needs no more."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400."""
    return render(request, "400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403."""
    return render(request, "403.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404."""
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 from a template that asks nothing of the database."""
    context = {"operator": settings.OPERATOR, "entries": entries_anyhow()}
    return HttpResponse(render_to_string("500.html", context), status=500)
