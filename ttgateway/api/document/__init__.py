"""The OpenAPI document, made from the routes and their types; and the pages that show it."""
