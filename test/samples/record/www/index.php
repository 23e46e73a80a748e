<?php
$page = (int) ($_GET['page'] ?? 1);
echo "<!doctype html>\n<title>Page $page</title>\n<p>This is page $page.</p>\n";
