<?php
// What ordinary applications do, one thing for each ?do=: nothing here is a failure.
function page(int $bytes): string
{
    $frame = "<!doctype html>\n<html><head><title>A page</title></head><body>\n%s\n</body></html>\n";
    return sprintf($frame, substr(str_repeat("<p>A paragraph as good as any other.</p>\n", (int) ($bytes / 40) + 1), 0, $bytes));
}

switch ($_GET['do'] ?? 'page') {
    case 'page':
        echo page((int) ($_GET['bytes'] ?? 400));
        break;
    case 'headers':
        header('Cache-Control: private, max-age=0');
        header("Content-Security-Policy: default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'");
        header('Vary: Accept-Encoding, Cookie');
        header('X-Title: ' . rawurlencode('Zürich, "quoted"; 100 %'));
        header('Link: </style.css>; rel=preload; as=style', false);
        header('Link: </script.js>; rel=preload; as=script', false);
        echo page(1000);
        break;
    case 'form':
        header('Content-Type: application/json');
        echo json_encode(['form' => $_POST, 'query' => $_GET, 'files' => array_column($_FILES, 'size')]);
        break;
    case 'json':
        header('Content-Type: application/json');
        $asked = json_decode(file_get_contents('php://input'), true);
        echo json_encode(['page' => 1, 'pool' => 2, 'asked' => $asked], JSON_PRETTY_PRINT);
        break;
    case 'after-post':
        header('Location: /healthy.php?do=page', true, 303);
        break;
    case 'redirect':
        header('Location: http://' . $_SERVER['HTTP_HOST'] . '/healthy.php?do=page&from=' . rawurlencode('a b'));
        break;
    case 'etag':
        header('ETag: "v1"');
        header('Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT');
        if (($_SERVER['HTTP_IF_NONE_MATCH'] ?? '') === '"v1"') {
            http_response_code(304);
            break;
        }
        echo page(2000);
        break;
    case 'missing':
        http_response_code(404);
        echo page(300);
        break;
    case 'invalid':
        http_response_code(422);
        header('Content-Type: application/problem+json');
        echo '{"title":"Not so","status":422}';
        break;
    case 'gzip':
        $packed = gzencode(page(20000));
        header('Content-Encoding: gzip');
        header('Vary: Accept-Encoding');
        header('Content-Length: ' . strlen($packed));
        echo $packed;
        break;
    case 'length':
        $page = page(5000);
        header('Content-Length: ' . strlen($page));
        echo $page;
        break;
    case 'range':
        http_response_code(206);
        header('Content-Type: application/octet-stream');
        header('Content-Range: bytes 100-199/5000');
        header('Content-Length: 100');
        echo str_repeat('r', 100);
        break;
    case 'download':
        header('Content-Type: text/csv; charset=UTF-8');
        header("Content-Disposition: attachment; filename*=UTF-8''liste%20%C3%A4.csv");
        echo str_repeat("1;2;3\r\n", 3000);
        break;
    case 'image':
        header('Content-Type: image/gif');
        header('Cache-Control: max-age=3600');
        echo base64_decode('R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==');
        break;
    case 'feed':
        header('Content-Type: application/rss+xml');
        echo "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\"><channel><title>News</title></channel></rss>\n";
        break;
    case 'text':
        header('Content-Type: text/plain');
        echo "Warnings are no warnings in a text: Notice that.\n";
        break;
    case 'stream':
        header('Content-Type: text/event-stream');
        header('X-Accel-Buffering: no');
        for ($i = 0; $i < 4; $i++) {
            echo "data: $i\n\n";
            flush();
            usleep(2000);
        }
        break;
    case 'cookies':
        setcookie('session', bin2hex(random_bytes(16)), ['httponly' => true, 'samesite' => 'Lax']);
        setcookie('theme', 'dark', time() + 3600, '/');
        echo page(500 + count($_COOKIE));
        break;
    case 'member':
        if (($_SERVER['PHP_AUTH_USER'] ?? '') !== 'ann' || ($_SERVER['PHP_AUTH_PW'] ?? '') !== 'a secret') {
            http_response_code(401);
            header('WWW-Authenticate: Basic realm="members"');
        }
        echo page(600);
        break;
    case 'gone':
        http_response_code(204);
        break;
    case 'pixel':
        // An answer to a beacon: nothing at all.
        header('Content-Type: text/plain');
        header('Content-Length: 0');
        break;
    case 'slow':
        usleep(600000);
        echo page(400);
        break;
}
