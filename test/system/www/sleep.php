<?php
// Says nothing for ?ms milliseconds. With ?started=PATH, the file PATH tells that the script runs.
if (isset($_GET['started'])) {
    touch($_GET['started']);
}
usleep((int) ($_GET['ms'] ?? 1000) * 1000);
echo "awake\n";
