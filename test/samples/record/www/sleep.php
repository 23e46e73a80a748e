<?php
header('Content-Type: text/plain');
usleep((int) ($_GET['ms'] ?? 1000) * 1000);
echo "awake\n";
