<?php
header('Location: /index.php?page=1');
