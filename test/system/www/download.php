<?php
// ?blocks=N blocks of 64 KiB: block i is md5(i), in hex, 2048 times. The tests build the same bytes.
header('Content-Type: application/octet-stream');
$blocks = (int) $_GET['blocks'];
header('Content-Length: ' . $blocks * 65536);
for ($i = 0; $i < $blocks; $i++) {
    echo str_repeat(md5((string) $i), 2048);
}
