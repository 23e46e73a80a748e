<?php
header('Content-Type: application/json');
echo json_encode(['method' => $_SERVER['REQUEST_METHOD'], 'form' => $_POST, 'bytes' => strlen(file_get_contents('php://input'))]), "\n";
