<?php
// A PHP warning and a message of our own: both go to STDERR, the page is fine.
echo "before\n";
echo $undefined;
error_log('a message for the log');
echo "after\n";
