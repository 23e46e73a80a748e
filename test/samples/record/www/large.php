<?php
// ?kb kilobytes of numbered lines.
header('Content-Type: text/plain');
for ($line = 0; $line < 16 * (int) ($_GET['kb'] ?? 40); $line++) {
    printf("%07d the quick brown fox jumps over the lazy dog and the hen.\n", $line);
}
