"""The web panel: pages for people, over the same verbs of the gateway that programs use."""
