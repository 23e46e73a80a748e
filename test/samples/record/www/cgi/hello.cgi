#!/bin/sh
# A plain CGI program, run by fcgiwrap.
printf 'Content-Type: text/plain\r\n\r\nHello, %s\n' "$QUERY_STRING"
echo 'a word to the log' >&2
