<?php
header('Content-Type: text/plain');
undefined_function();
