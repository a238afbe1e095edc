"""The restaurant of ``simulate``: its ``day``, what happens in it (``restaurant``), done at some ``tempo``.

``driving`` does it through the API of a gateway.
"""
