<?php
// Hashes the body as it arrives, without holding it in memory.
header('Content-Type: application/json');
$hash = hash_init('sha256');
$input = fopen('php://input', 'rb');
$bytes = hash_update_stream($hash, $input);
echo json_encode(['bytes' => $bytes, 'sha256' => hash_final($hash)]);
