<?php
// Send one message and wait until it is delivered. Needs PHP 8 alone, no extension.
declare(strict_types=1);

$url = (getenv('GUVERCIN_URL') ?: 'http://127.0.0.1:8080') . '/api/v1/whatsapp';
$token = getenv('GUVERCIN_TOKEN') ?: '';

final class Refused extends RuntimeException
{
}

/** Ask the server and answer its JSON; throw Refused when it refuses or can't be reached. */
function call(string $method, string $path, ?array $body = null, array $headers = []): array
{
    global $url, $token;
    $context = stream_context_create(['http' => [
        'method' => $method,
        'header' => ["Authorization: Bearer $token", 'Content-Type: application/json', ...$headers],
        'content' => $body === null ? '' : json_encode($body, JSON_THROW_ON_ERROR),
        'timeout' => 60,
        'ignore_errors' => true, // a refusal has a body too: read it
    ]]);
    $text = @file_get_contents($url . $path, false, $context);
    if ($text === false) {
        throw new Refused("$url: " . (error_get_last()['message'] ?? ''));
    }
    $answer = json_decode($text, true, 512, JSON_THROW_ON_ERROR);
    if (!$answer['ok']) {
        throw new Refused("{$answer['kod']}: {$answer['hata']}");
    }
    return $answer;
}

function main(): int
{
    global $token;
    if ($token === '') {
        throw new Refused('GUVERCIN_TOKEN boş: guvercin anahtar uret | GUVERCIN_TOKEN is empty: guvercin token create');
    }
    // The same key again never makes a second message. Here: one per run; in your program: the invoice's number.
    $key = bin2hex(random_bytes(16));
    $message = ['telefon' => '+905000000001', 'mesaj' => 'Merhaba, faturanız hazır.', 'isim' => 'Ayşe'];
    $logId = call('POST', '/gonder', $message, ["Idempotency-Key: $key"])['log_id'];
    echo "log_id: $logId\n";

    for ($try = 0; $try < 60; $try++) {
        $status = call('GET', "/durum/$logId")['data']['durum'];
        if (in_array($status, ['delivered', 'read'], true)) {
            echo "durum: $status\n";
            return 0;
        }
        if (in_array($status, ['failed', 'cancelled'], true)) {
            break;
        }
        usleep(500_000);
    }
    fwrite(STDERR, "durum: $status\n");
    return 1;
}

try {
    exit(main());
} catch (Refused $refused) {
    fwrite(STDERR, $refused->getMessage() . "\n");
    exit(1);
}
