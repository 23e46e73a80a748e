<?php
// What arrived: method, form fields, query, and the raw body's size and hash.
header('Content-Type: application/json');
$body = file_get_contents('php://input');
echo json_encode([
    'method' => $_SERVER['REQUEST_METHOD'],
    'query' => $_GET,
    'form' => $_POST,
    'contentType' => $_SERVER['CONTENT_TYPE'] ?? '',
    'bytes' => strlen($body),
    'sha256' => hash('sha256', $body),
]);
