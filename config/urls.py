"""Every address of the desk."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from django.views.i18n import set_language

from config import views

urlpatterns = [
    path("", views.home, name="home"),
    path("brand.css", views.brand_css, name="brand"),
    path("healthz", views.health, name="health"),
    # No token guards it: a language is no secret, and the pages for strangers set no cookie.
    path("language/", csrf_exempt(set_language), name="set_language"),
    path("", include("subscriptions.urls")),
    path("", include("cancellation.urls")),
    path("reports/", include("reports.urls")),
    path("admin/", admin.site.urls),
]
if settings.DEMO:
    urlpatterns.append(path("demo/", include("config.demo_urls")))

handler400 = views.bad_request
handler403 = views.forbidden
handler404 = views.not_found
handler500 = views.server_error
