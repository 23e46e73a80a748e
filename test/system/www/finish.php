<?php
// Answers at once and goes on working for ?ms milliseconds.
echo "done\n";
fastcgi_finish_request();
usleep((int) ($_GET['ms'] ?? 1500) * 1000);
