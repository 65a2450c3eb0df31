"""The loops that keep the promises, and the verbs that API, panel and terminal share."""
