"""The Data API: `Query` (what), `Client` (one page) and `Crawl` (all pages).

`endpoints` describes each endpoint once, for query, client and crawl. `credentials` finds key,
secret and region; `dates` normalises times; `rate_limit` decides when a request may be sent.
"""
