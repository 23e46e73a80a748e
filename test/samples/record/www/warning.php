<?php
// The warning goes to STDERR, the page is fine.
echo "<p>Your basket: $items items</p>\n";
