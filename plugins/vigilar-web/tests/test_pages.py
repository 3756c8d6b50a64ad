from __future__ import annotations

from support import House


def test_every_page_of_the_menu_opens(house: House) -> None:
    house.happens("vigilar/camera/hall/motion/start", zones="door")
    client = house.client()
    for path in ("/", "/events/", "/system/", "/account/", "/users/", "/api/docs", "/api/v1/openapi.json", "/api/v1/events", "/api/v1/cameras", "/api/v1/session", "/system/status"):
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.get_data(as_text=True)[:400])
