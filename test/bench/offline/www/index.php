<?php
// A shop, as far as its traffic goes: the front controller that answers everything. ?size is about how many bytes the answer has.
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$size = (int) ($_GET['size'] ?? 2000);
header('Cache-Control: no-store, no-cache, must-revalidate');
header('Set-Cookie: session=' . md5($path . $size) . '; path=/; HttpOnly; SameSite=Lax');
if (str_starts_with($path, '/page')) {
    page($path, $size);
} elseif (str_starts_with($path, '/api')) {
    header('Content-Type: application/json');
    echo json_encode(['path' => $path, 'items' => array_map(item(...), range(1, max(1, intdiv($size, 120))))]);
} elseif ($path === '/basket') {
    header('Location: /page/basket?added=' . count($_POST), true, 303);
} elseif ($path === '/upload') {
    header('Content-Type: application/json');
    echo json_encode(array_map(fn ($file) => [$file['name'], $file['size'], md5_file($file['tmp_name'])], $_FILES));
} elseif ($path === '/old') {
    header('Location: /page/new', true, 301);
} elseif ($path === '/warning') {
    echo $undefined['of course'];
    page($path, $size);
} else {
    http_response_code(404);
    page($path, $size);
}

function page(string $path, int $size): void
{
    header('Content-Type: text/html; charset=UTF-8');
    $sent = 0;
    for ($row = 0; $sent < $size; $row++) {
        $line = sprintf("<li class=\"product-%d\"><a href=\"%s/%s\">%s</a></li>\n", $row, $path, md5("$size/$row"), words($size + $row));
        $sent += strlen($line);
        echo $line;
    }
}

function item(int $number): array
{
    return ['id' => $number, 'sku' => md5((string) $number), 'name' => words($number), 'price' => $number * 7 % 1000 / 10];
}

function words(int $seed): string
{
    $words = ['shirt', 'grün', 'large', 'cotton', 'with pockets', 'on offer', 'for travellers', 'Größe', 'new', 'blue'];
    return $words[$seed % 10] . ' ' . $words[intdiv($seed, 7) % 10] . ' ' . $words[$seed * 31 % 10];
}
