<?php
// Says nothing for ?ms milliseconds.
usleep((int) ($_GET['ms'] ?? 1000) * 1000);
echo "awake\n";
