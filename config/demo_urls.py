"""Addresses of the demo; absent unless FAIRWELL_DEMO is on."""

from django.urls import path

from config import demo_views

app_name = "demo"
urlpatterns = [
    path("", demo_views.index, name="index"),
    path("enter/<slug:slug>/", demo_views.enter, name="enter"),
    path("mails/", demo_views.mails, name="mails"),
    path("mails/<str:name>/", demo_views.mail, name="mail"),
    path("mails/<str:name>/html/", demo_views.mail_html, name="mail-html"),
]
