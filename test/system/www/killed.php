<?php
// Sends ?bytes of a body, flushed, and then dies by SIGKILL like a worker that the kernel's out-of-memory killer picks.
header('Content-Type: text/plain');
$bytes = (int) ($_GET['bytes'] ?? 0);
if ($bytes > 0) {
    echo str_repeat('x', $bytes - 1), "\n";
    flush();
}
exec('kill -9 ' . getmypid());
sleep(10);
