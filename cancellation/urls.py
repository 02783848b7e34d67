"""The guided way, the contract pages, receipts."""

from django.urls import path

from cancellation import (
    announcement_views,
    choice_views,
    commit,
    doors,
    parts_views,
    receipt_views,
    rules_views,
    views,
)

app_name = "cancellation"
urlpatterns = [
    path("cancel/", doors.cancel, name="door"),
    path("cancel/<slug:pack>/", doors.cancel, name="door"),
    path("cancel/done/<str:key>/", doors.done, name="door-done"),
    path("withdraw/", doors.withdraw, name="withdrawal-door"),
    path("withdraw/<slug:pack>/", doors.withdraw, name="withdrawal-door"),
    path("withdraw/done/<str:key>/", doors.done, name="withdrawal-done"),
    path("not-me/<str:token>/", doors.not_me, name="not-me"),
    path("account/", views.account, name="account"),
    path("rules/", rules_views.rules, name="rules"),
    path("rules/<slug:code>/", rules_views.rules, name="rules"),
    path("announce/", announcement_views.form, name="announce"),
    path("announce/received/<str:token>/", announcement_views.received, name="announce-received"),
    path("announce/<str:key>/", announcement_views.answer, name="announce-answer"),
    path("contracts/<str:ref>/", views.contract, name="contract"),
    path("contracts/<str:ref>/parts/", parts_views.parts, name="parts"),
    path("contracts/<str:ref>/cancel/", views.overview, name="overview"),
    path("contracts/<str:ref>/cancel/reasons/", views.reasons, name="reasons"),
    path("contracts/<str:ref>/cancel/confirm/", views.confirm, name="confirm"),
    path("contracts/<str:ref>/cancel/now/", commit.commit, name="commit"),
    path("contracts/<str:ref>/cancel/done/", views.done, name="done"),
    path("contracts/<str:ref>/cancel/last-day.ics", views.calendar, name="calendar"),
    path("contracts/<str:ref>/cancel/undo/", commit.undo, name="undo"),
    path("contracts/<str:ref>/cancel/later/", choice_views.later, name="later"),
    path("contracts/<str:ref>/cancel/go-on/<str:token>/", choice_views.go_on, name="go-on"),
    path("account/choices/", choice_views.choices, name="choices"),
    path("receipts/verify", receipt_views.verify, name="verify"),
    path("receipts/verify/", receipt_views.verify_with_slash),
    path("receipts/<str:key>/", receipt_views.page, name="receipt"),
    path("receipts/<str:key>/receipt.txt", receipt_views.as_text, name="receipt-text"),
    path("receipts/<str:key>/receipt.html", receipt_views.as_html, name="receipt-html"),
    path("receipts/<str:key>/receipt.json", receipt_views.as_json, name="receipt-json"),
    path("receipts/<str:key>/receipt.pdf", receipt_views.as_pdf, name="receipt-pdf"),
    path("receipts/<str:key>/last-day.ics", receipt_views.calendar, name="receipt-calendar"),
    path(".well-known/jwks.json", receipt_views.jwks, name="jwks"),
]
