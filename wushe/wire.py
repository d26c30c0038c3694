"""What comes in that is not HTTP at all gets an answer too, in the shape of all others."""

from __future__ import annotations

import json

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.http.problems import Problem, ProblemResponse, content

NO_HTTP = Problem(
    "bad-request", 400, "这不是有效的 HTTP 请求，请检查请求行与请求头",
    "This is not a valid HTTP request; look at its first line and its headers",
)  # fmt: skip


class Wire(HttpToolsProtocol):
    """HTTP as uvicorn speaks it, but for its one answer that is plain text."""

    def send_400_response(self, msg: str) -> None:
        body = json.dumps(content(NO_HTTP, (), "zh"), ensure_ascii=False).encode()
        head = (
            f"HTTP/1.1 400 Bad Request\r\ncontent-type: {ProblemResponse.media_type}\r\n"
            f"content-length: {len(body)}\r\ncontent-language: zh\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
