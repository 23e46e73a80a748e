<?php
// Says the first part, and is then killed as the kernel does it when memory runs out.
header('Content-Type: text/plain');
header('Content-Length: 9000');
echo str_repeat("row imported\n", 200);
flush();
usleep(50000);
exec('kill -9 ' . getmypid());
sleep(5);
