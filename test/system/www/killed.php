<?php
// Sends ?bytes of a body, flushed, and then dies by SIGKILL like a worker that the kernel's out-of-memory killer picks: at once, or with
// ?gate=PATH when the client has made the file PATH.
header('Content-Type: text/plain');
$bytes = (int) ($_GET['bytes'] ?? 0);
if ($bytes > 0) {
    echo str_repeat('x', $bytes - 1), "\n";
    flush();
}
$patience = microtime(true) + 10;
while (isset($_GET['gate']) && !file_exists($_GET['gate']) && microtime(true) < $patience) {
    usleep(10000);
    clearstatcache();
}
exec('kill -9 ' . getmypid());
sleep(10);
