<?php
header('Location: /hello.php?redirected=1');
