import json
from html.parser import HTMLParser

from tests.api.client import House
from ttgateway.api.document.page import page
from ttgateway.api.document.schemas import Document


def document() -> Document:
    described: Document = json.loads(House().get("/api/openapi.json").body)
    return described


class Tags(HTMLParser):
    """Checks that every tag that is opened is closed, and collects ids and what links lead to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = dict(attrs)
        self.ids += [str(held["id"])] if "id" in held else []
        self.links += [str(held["href"])] if "href" in held else []
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_every_tag_is_closed_and_every_link_leads_somewhere() -> None:
    tags = Tags(page(document()))
    assert tags.open == []
    assert len(set(tags.ids)) == len(tags.ids)
    assert {link[1:] for link in tags.links if link.startswith("#")} <= set(tags.ids)


def test_what_is_told_is_no_markup() -> None:
    described = document()
    described["info"]["description"] = "<script>alert(1)</script> & more"
    described["paths"]["/api/v2"]["get"]["summary"] = "<b>bold</b>"
    text = page(described)
    assert "<script>" not in text
    assert "<b>bold</b>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in text


def test_a_section_tells_what_is_asked_for_and_what_is_shown() -> None:
    text = page(document())
    section = text[text.index('<section id="post_api_v2_activeorders">') :].partition("</section>")[0]
    assert "<code>name</code></td><td>body</td>" in section
    assert "<code>locationName</code></td><td>body, optional</td>" in section
    assert "status 200 and returnCode 5 or 1009 or 1010" in section
    assert "<code>activeorder</code>" in section


def test_what_wants_no_secret_says_so() -> None:
    text = page(document())
    root = text[text.index('<section id="get_api_v2">') :].partition("</section>")[0]
    others = text[text.index('<section id="get_api_v2_activeorders">') :].partition("</section>")[0]
    assert "No secret is wanted." in root
    assert "No secret is wanted." not in others


def test_what_can_only_be_refused_comes_last_and_under_its_own_path() -> None:
    text = page(document())
    place = text.index("<code>/api/v2/gateway/activate</code>")
    assert all(text.index(f"<code>{path}</code>") < place for path in document()["paths"])
