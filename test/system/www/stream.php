<?php
// A line, flushed at once. With ?gate=PATH the rest waits until the client, having seen that line, has made the file PATH: proof that
// nobody on the way held it back. Then a line every 200 ms, ?lines in all.
header('Content-Type: text/plain');
header('X-Accel-Buffering: no');
$lines = (int) ($_GET['lines'] ?? 3);
echo "line 1\n";
flush();
if (isset($_GET['gate'])) {
    $patience = microtime(true) + 10;
    while (!file_exists($_GET['gate'])) {
        if (microtime(true) > $patience) {
            echo "the gate stayed closed\n";
            exit;
        }
        usleep(10000);
        clearstatcache();
    }
}
for ($line = 2; $line <= $lines; $line++) {
    if ($line > 2) {
        usleep(200000);
    }
    echo "line $line\n";
    flush();
}
