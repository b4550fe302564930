"""The JSON endpoints, their OpenAPI description and the pages made from it."""
