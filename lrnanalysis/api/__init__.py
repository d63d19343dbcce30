"""The Data API: credentials, query, dates, client, rate limit and crawl."""
