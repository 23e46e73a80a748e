<?php
// ?lines lines, one every ?ms milliseconds, each sent at once.
header('Content-Type: text/event-stream');
header('X-Accel-Buffering: no');
for ($line = 1; $line <= (int) ($_GET['lines'] ?? 5); $line++) {
    echo "id: $line\ndata: {\"stock\":", 100 - $line, "}\n\n";
    flush();
    usleep((int) ($_GET['ms'] ?? 100) * 1000);
}
