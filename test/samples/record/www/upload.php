<?php
header('Content-Type: application/json');
$body = file_get_contents('php://input');
echo json_encode(['bytes' => strlen($body), 'md5' => md5($body)]), "\n";
