"""Ways to write, or to hide, an address that is not everybody's: what a fetcher must never connect to."""

from __future__ import annotations

from ipaddress import IPv4Address

NUMBERS = ("127.0.0.1", "169.254.169.254", "10.0.0.1", "192.168.0.1", "172.16.0.1", "0.0.0.0")
"""This machine, a cloud's metadata, networks of one's own."""

SPECIAL = (
    *(
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.2",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.170.2",
        "172.31.255.1",
    ),
    *("192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.19.255.1", "198.51.100.1"),
    *("203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "0.1.2.3", "10.255.255.255"),
    *("192.31.196.1", "192.52.193.1", "192.175.48.1", "233.252.0.1"),
)
"""Others of the registry for special purposes, as four plain numbers."""

IPV6 = (
    *("::1", "::", "0:0:0:0:0:0:0:1", "0000:0000:0000:0000:0000:0000:0000:0001", "::0.0.0.1", "::127.0.0.1"),
    *("::ffff:127.0.0.1", "::ffff:7f00:1", "0:0:0:0:0:ffff:7f00:0001", "::FFFF:127.0.0.1", "::ffff:169.254.169.254"),
    *("::ffff:0:127.0.0.1", "::ffff:10.0.0.1", "::ffff:1.1.1.1", "64:ff9b::127.0.0.1", "64:ff9b::7f00:1"),
    *("64:ff9b::169.254.169.254", "64:ff9b:1::1", "64:ff9b:1:7f00:0:100::", "2002:7f00:1::", "2002:7f00:0001::1"),
    *("2002:a9fe:a9fe::1", "2002:a00:1::", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:0:7f00:1::"),
    *("2001:10::1", "2001:20::1", "2001:db8::1", "3fff::1", "5f00::1", "fc00::1", "fd00::1", "fd00:ec2::254"),
    *("fe80::1", "fe80::a9fe:a9fe", "fec0::1", "ff02::1", "ff0e::1", "100::1", "100:0:0:1::1", "4000::1", "::2"),
    *("2a00:1450::5efe:7f00:1", "2a00:1450::200:5efe:127.0.0.1", "2001:2::1", "3ffe::1", "e000::1", "200::1"),
)

PUBLIC = "https://hooks.example.com"


def spellings(number: str) -> list[str]:
    """Return the ways in which old parsers read four numbers: decimal, octal, hex, short, mixed, padded."""
    value = int(IPv4Address(number))
    a, b, c, d = (int(part) for part in number.split("."))
    return [
        *(number, str(value), hex(value), f"0X{value:X}", f"0{value:o}", f"0x{value:08x}", str(value + (1 << 32))),
        *(f"{a}.{value & 0xFFFFFF}", f"{a}.{b}.{(c << 8) + d}", f"0x{a:x}.{value & 0xFFFFFF}", f"{a}.{b}.{c}.0x{d:x}"),
        *(
            f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
            f"0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}",
            f"00{a:o}.{b}.{c}.{d}",
            f"{a:03d}.{b}.{c}.{d:03d}",
        ),
        *(
            f"{number}.",
            f"{a}.{b}.{c}.{d + 256}",
            f"{a}.{b}.{c}.{d}.",
            f"{a}..{b}.{c}.{d}",
            f".{number}",
            f"{number}%00",
        ),
    ]


def hidden(port: int) -> list[str]:
    """Return URLs that lead here for those who read them otherwise than we do, or that are no good ones."""
    return [
        # a user, a password, and who is taken for the host
        f"https://hooks.example.com@127.0.0.1:{port}/",
        f"https://127.0.0.1:{port}@hooks.example.com/",
        f"https://user:word@127.0.0.1:{port}/",
        "https://user@hooks.example.com/",
        "https://:@hooks.example.com/",
        f"https://hooks.example.com:443@127.0.0.1:{port}/",
        f"https://hooks.example.com%40127.0.0.1:{port}/",
        f"https://127.0.0.1:{port}#@hooks.example.com/",
        f"https://127.0.0.1:{port}?@hooks.example.com/",
        f"https://hooks.example.com#@127.0.0.1:{port}/",
        f"https://a@b@127.0.0.1:{port}/",
        # backslashes, spaces, control characters
        f"https:\\\\127.0.0.1:{port}/",
        f"https://hooks.example.com\\@127.0.0.1:{port}/",
        f"https://127.0.0.1:{port}\\@hooks.example.com/",
        f"https:/\\127.0.0.1:{port}/",
        f"https://\\127.0.0.1:{port}/",
        f"https:///127.0.0.1:{port}/",
        f"https:127.0.0.1:{port}",
        f"https:/127.0.0.1:{port}/",
        f"//127.0.0.1:{port}/",
        f" https://127.0.0.1:{port}/",
        f"https://127.0.0.1:{port}/ ",
        f"https:// 127.0.0.1:{port}/",
        f"https://127.0.0.1:{port}/a b",
        "https://hooks.example.com/\r\nHost: localhost",
        "https://hooks.example.com\r\n/",
        "https://hooks.example.com/\nX: y",
        "https://hooks.example.com/\r",
        "https://hooks.example.com/\t",
        "https://hooks.example.com/\0",
        "https://hooks\0.example.com/",
        "https://hooks.exa\tmple.com/",
        "https://hooks.example.com\n",
        "\nhttps://hooks.example.com/",
        "https://hooks.example.com/%0d%0a\r\n",
        "https://hooks.example.com/\u2028",
        "https://hooks.example.com/\u0085",
        "https://hooks.example.com/\ud800",
        "https://hooks.example.com:443\r\n/",
        "https://hooks.example.com:\r443/",
        "https://hooks.example.com/\x7f",
        # letters that become others: full width, enclosed, ideographic dots, soft hyphens, joiners
        f"https://\uff11\uff12\uff17.0.0.1:{port}/",
        f"https://127\u30020\u30020\u30021:{port}/",
        f"https://127\uff0e0\uff0e0\uff0e1:{port}/",
        f"https://127\uff610\uff610\uff611:{port}/",
        f"https://\u2460\u2461\u2466.0.0.1:{port}/",
        f"https://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3:{port}/",
        f"https://\uff4cocalhost:{port}/",
        f"https://local\u00adhost:{port}/",
        f"https://local\u200dhost:{port}/",
        f"https://127.0.0.\u00b9:{port}/",
        f"https://\u0661\u0662\u0667.0.0.1:{port}/",
        "https://h\u00f6oks.example.com/",
        "https://hooks.example\u3002com/",
        "https://hooks.example.com\uff0f.127.0.0.1/",
        "https://hooks.example.com\u2100/",
        f"https://\u2488127.0.0.1:{port}/",
        f"https://127.0.0.1\uff1a{port}/",
        f"https://localho\u017ft:{port}/",
        # percents where a host stands
        f"https://%31%32%37.0.0.1:{port}/",
        f"https://127%2e0%2e0%2e1:{port}/",
        f"https://%6c%6f%63alhost:{port}/",
        f"https://127.0.0.1%2f@hooks.example.com:{port}/",
        f"https://[::1%25lo]:{port}/",
        f"https://[fe80::1%25eth0]:{port}/",
        f"https://[::1%lo]:{port}/",
        f"https://[::%31]:{port}/",
        "https://hooks.example.com%00.evil.example/",
        # brackets
        f"https://[127.0.0.1]:{port}/",
        f"https://[::1:{port}/",
        f"https://::1:{port}/",
        f"https://[[::1]]:{port}/",
        f"https://[v1.127.0.0.1]:{port}/",
        f"https://[localhost]:{port}/",
        f"https://[::1].example.com:{port}/",
        f"https://[]:{port}/",
        "https://[::1",
        f"https://hooks.example.com[::1]:{port}/",
        f"https://[::ffff:127.1]:{port}/",
        # names that stand for this machine, or for a network of one's own
        f"https://localhost:{port}/",
        "https://localhost/",
        "https://LOCALHOST/",
        "https://localhost./",
        "https://LocalHost.LocalDomain/",
        "https://shop.localhost/",
        "https://receiver.local/",
        "https://router.lan/",
        "https://metadata.google.internal/",
        "https://metadata/",
        "https://kubernetes.default.svc.cluster.local/",
        "https://instance-data/",
        "https://intranet/",
        "https://printer.home.arpa/",
        "https://x.corp/",
        "https://db/",
        "https://1.0.0.127.in-addr.arpa/",
        "https://abc.onion/",
        "https://x.home/",
        "https://a.private/",
        "https://x.test/",
        "https://hooks.example.com./",
        "https://hooks.example.com../",
        "https://.hooks.example.com/",
        "https://hooks..com/",
        "https://-hooks.example.com/",
        "https://hooks-.example.com/",
        "https://hooks_.example.com/",
        f"https://{'a' * 64}.example.com/",
        f"https://{'a.' * 130}com/",
        "https://hooks.example.0x7f/",
        "https://hooks.1/",
        "https://hooks.example.127/",
        "https://a.0177/",
        "https://xn--/",
        # ports
        "https://hooks.example.com:22/",
        "https://hooks.example.com:25/",
        "https://hooks.example.com:6379/",
        "https://hooks.example.com:80/",
        "https://hooks.example.com:8443/",
        "https://hooks.example.com:0/",
        "https://hooks.example.com:65536/",
        "https://hooks.example.com:99999/",
        "https://hooks.example.com:-1/",
        "https://hooks.example.com:443443/",
        "https://hooks.example.com:0443/",
        "https://hooks.example.com:+443/",
        "https://hooks.example.com:4\u06643/",
        "https://hooks.example.com:0x1bb/",
        "https://hooks.example.com:/",
        "https://hooks.example.com:443:443/",
        "https://hooks.example.com:443 /",
        "https://hooks.example.com:http/",
        # schemes
        "http://hooks.example.com/",
        "HTTP://hooks.example.com/",
        "ftp://hooks.example.com/",
        "file:///etc/passwd",
        f"gopher://127.0.0.1:{port}/_x",
        f"dict://127.0.0.1:{port}/x",
        "ldap://hooks.example.com/",
        "jar:https://a.com!/",
        f"ws://127.0.0.1:{port}/",
        "unix:///run/x.sock",
        "javascript:alert(1)",
        "data:text/plain,x",
        "",
        "https",
        "https:",
        "https://",
        "https:///",
        "https://?",
        "https://#",
        "hooks.example.com",
        "/path",
        "h\u0442tps://hooks.example.com/",
        "view-source:https://hooks.example.com/",
        "url:https://hooks.example.com/",
        "netdoc:///etc/passwd",
        "http+unix://%2Frun%2Fx/",
        "httpss://hooks.example.com/",
        "shttps://hooks.example.com/",
        # what is in no URL, and too much of one
        "https://hooks.example.com/#part",
        "https://hooks.example.com/<x>",
        'https://hooks.example.com/"x"',
        "https://hooks.example.com/{x}",
        "https://hooks.example.com/x|y",
        "https://hooks.example.com/^",
        "https://a,b.com/",
        "https://hooks.example.com;127.0.0.1/",
        "https://hooks.example.com,127.0.0.1/",
        f"{PUBLIC}/{'a' * 2_048}",
        "https://hooks.example.com$127.0.0.1/",
        "https://*.example.com/",
        "https://(hooks.example.com)/",
    ]


def forms(port: int) -> list[str]:
    """Return all URLs; those of this machine lead to `port` on it, for whoever follows them."""
    numbers = [text for number in NUMBERS for text in spellings(number)]
    hosts = [*numbers, *SPECIAL, *(f"[{text}]" for text in IPV6)]
    return list(dict.fromkeys([f"https://{host}:{port}/" for host in hosts] + hidden(port) + plain(port)))


def plain(port: int) -> list[str]:
    """Return URLs of this machine that are followed by whoever does not look at addresses."""
    hosts = ("127.0.0.1", "2130706433", "0x7f000001", "017700000001", "127.1", "0x7f.1", "localhost", "0", "0.0.0.0")
    return [f"http://{host}:{port}/" for host in (*hosts, "[::ffff:127.0.0.1]", "127.0.0.2", "127.0.1")]
