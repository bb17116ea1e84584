"""Mails that mail servers send: a delivery status (as postfix and Exchange write it), an abuse report, an answer."""

from __future__ import annotations

POSTFIX = """\
Return-Path: <>
X-Original-To: {to}
Delivered-To: bounces@shop.example
Date: Tue, 14 Nov 2023 22:13:20 +0000 (UTC)
From: MAILER-DAEMON@mx.shop.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: {to}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="4ST.1"
Message-Id: <{id}@mx.shop.example>

This is a MIME-encapsulated message.

--4ST.1
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--4ST.1
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.shop.example
X-Postfix-Queue-ID: 4ST
Arrival-Date: Tue, 14 Nov 2023 22:13:19 +0000 (UTC)

Final-Recipient: rfc822; ada@example.com
Original-Recipient: rfc822;ada@example.com
Action: {action}
Status: {status}
Remote-MTA: dns; mx.example.com
Diagnostic-Code: smtp; {diagnostic}

--4ST.1
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

Return-Path: <{path}>
From: The Shop <hello@shop.example>
To: ada@example.com
Subject: Still thinking it over?
Message-ID: <0123@shop.example>

--4ST.1--
"""

ARF = """\
From: <abuse@example.com>
Date: Tue, 14 Nov 2023 22:13:20 +0000
Subject: FW: Still thinking it over?
To: <fbl@shop.example>
Message-ID: <{id}@example.com>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="part1"

--part1
Content-Type: text/plain; charset="US-ASCII"
Content-Transfer-Encoding: 7bit

This is an email abuse report.

--part1
Content-Type: message/feedback-report

Feedback-Type: {type}
User-Agent: SomeGenerator/1.0
Version: 1
Original-Mail-From: <{path}>
Received-Date: Tue, 14 Nov 2023 22:10:00 +0000
Source-IP: 192.0.2.1

--part1
Content-Type: message/rfc822
Content-Disposition: inline

Return-Path: <{path}>
From: The Shop <hello@shop.example>
To: <Undisclosed Recipients>
Subject: Still thinking it over?
Message-ID: <0123@shop.example>

Hello!

--part1--
"""

OUT_OF_OFFICE = """\
From: ada@example.com
To: {to}
Subject: Out of office
Auto-Submitted: auto-replied
Message-ID: <ooo@example.com>

Back on Monday.
"""


def dsn(
    *,
    to: str = "bounces@shop.example",
    path: str = "hello@shop.example",
    action: str = "failed",
    status: str = "5.1.1",
    diagnostic: str = "550 5.1.1 <ada@example.com>: User unknown",
    id: str = "20231114221320.4ST",
) -> bytes:
    """Return a delivery status."""
    told = POSTFIX.format(to=to, path=path, action=action, status=status, diagnostic=diagnostic, id=id)
    return told.replace("\n", "\r\n").encode()


def arf(*, path: str, type: str = "abuse", id: str = "8787") -> bytes:
    """Return an abuse report."""
    return ARF.format(path=path, type=type, id=id).replace("\n", "\r\n").encode()


def answer(to: str) -> bytes:
    """Return an automatic answer of a person."""
    return OUT_OF_OFFICE.format(to=to).replace("\n", "\r\n").encode()
