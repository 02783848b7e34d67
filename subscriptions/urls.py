"""Signing in and out."""

from django.urls import path

from subscriptions import signin_views as views

app_name = "subscriptions"
urlpatterns = [
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-in/<str:token>/", views.sign_in_link, name="sign-in-link"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("enter/", views.enter, name="enter"),
]
