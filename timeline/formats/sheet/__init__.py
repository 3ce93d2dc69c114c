"""The CSV contract: a row of a spreadsheet and an event, both ways."""
