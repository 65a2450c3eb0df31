// Send one message and wait until it is delivered. Needs .NET 8 or newer alone.
using System;
using System.Collections.Generic;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Threading.Tasks;

/// <summary>The server said no: the message starts with the code for programs, then the sentence for people.</summary>
class Refused : Exception
{
    public Refused(string message) : base(message) { }
}

static class Program
{
    static readonly string Url =
        (Environment.GetEnvironmentVariable("GUVERCIN_URL") ?? "http://127.0.0.1:8080") + "/api/v1/whatsapp";
    static readonly string Token = Environment.GetEnvironmentVariable("GUVERCIN_TOKEN") ?? "";
    static readonly HttpClient Http = new HttpClient { Timeout = TimeSpan.FromSeconds(60) };

    /// <summary>Ask the server and answer its JSON; throw Refused when it refuses.</summary>
    static async Task<JsonElement> Call(HttpMethod method, string path, object body = null, string key = null)
    {
        using (var request = new HttpRequestMessage(method, Url + path))
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
            if (key != null) request.Headers.Add("Idempotency-Key", key);
            if (body != null)
                request.Content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
            using (var response = await Http.SendAsync(request))
            {
                var text = await response.Content.ReadAsStringAsync();
                var answer = JsonDocument.Parse(text).RootElement;
                if (!answer.GetProperty("ok").GetBoolean())
                    throw new Refused(answer.GetProperty("kod").GetString() + ": " + answer.GetProperty("hata").GetString());
                return answer;
            }
        }
    }

    /// <summary>Send, then ask until the message has arrived.</summary>
    static async Task<int> Send()
    {
        if (Token == "")
            throw new Refused("GUVERCIN_TOKEN boş: guvercin anahtar uret | GUVERCIN_TOKEN is empty: guvercin token create");
        // The same key again never makes a second message. Here: one per run; in your program: the invoice's number.
        var key = Guid.NewGuid().ToString();
        var message = new Dictionary<string, object>
        {
            ["telefon"] = "+905000000001",
            ["mesaj"] = "Merhaba, faturanız hazır.",
            ["isim"] = "Ayşe",
        };
        var logId = (await Call(HttpMethod.Post, "/gonder", message, key)).GetProperty("log_id").GetInt64();
        Console.WriteLine("log_id: " + logId);

        var status = "";
        for (var attempt = 0; attempt < 60; attempt++)
        {
            status = (await Call(HttpMethod.Get, "/durum/" + logId)).GetProperty("data").GetProperty("durum").GetString();
            if (status == "delivered" || status == "read")
            {
                Console.WriteLine("durum: " + status);
                return 0;
            }
            if (status == "failed" || status == "cancelled") break;
            await Task.Delay(500);
        }
        Console.Error.WriteLine("durum: " + status);
        return 1;
    }

    static async Task<int> Main()
    {
        try
        {
            return await Send();
        }
        catch (Exception error) when (error is Refused || error is HttpRequestException)
        {
            Console.Error.WriteLine(error.Message);
            return 1;
        }
    }
}
