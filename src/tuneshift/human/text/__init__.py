"""Text: tables, numbers, tiers and sentences as people write them, before they mean anything."""
