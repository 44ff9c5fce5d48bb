"""Everything that differs from place to place."""

import os


class Settings:
    def __init__(self) -> None:
        self.database = (os.environ["DB_HOST"], os.environ["DB_USER"], os.environ["DB_PASSWORD"])
        self.cache = os.environ["REDIS_URL"]
        self.greeting = os.environ.get("GREETING", "hello")
        self.page_size = int(os.environ.get("PAGE_SIZE", "50"))
