<?php
// STDOUT and STDERR in turn, each sent at once.
header('Content-Type: text/plain');
for ($line = 1; $line <= 4; $line++) {
    echo "line $line\n";
    flush();
    error_log("message $line");
    flush();
}
